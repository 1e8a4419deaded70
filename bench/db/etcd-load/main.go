// Durable puts, or transactions that compare and put, through etcd's own client:
//
//	go run . -endpoints 127.0.0.1:2379 -clients 64 -seconds 5 -test set
//
// Each client sends the next request when the last one was answered. Prints one line of JSON.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"go.etcd.io/etcd/client/v3"
)

const keys = 100_000

// clientsPerConnection: HTTP/2 carries many requests on one connection.
const clientsPerConnection = 32

type result struct {
	Rps float64 `json:"rps"`
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

func request(ctx context.Context, client *clientv3.Client, test, key, value string) error {
	if test == "set" {
		_, err := client.Put(ctx, key, value)
		return err
	}
	_, err := client.Txn(ctx).
		If(clientv3.Compare(clientv3.ModRevision(key), ">", -1)).
		Then(clientv3.OpPut(key, value), clientv3.OpPut(key+"/2", value)).
		Commit()
	return err
}

func run(endpoints []string, clients int, length time.Duration, test string) (result, error) {
	connections := make([]*clientv3.Client, (clients+clientsPerConnection-1)/clientsPerConnection)
	for i := range connections {
		client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second})
		if err != nil {
			return result{}, err
		}
		defer client.Close()
		connections[i] = client
	}
	value := strings.Repeat("x", 100)
	took := make([][]float64, clients)
	failures := make([]error, clients)
	end := time.Now().Add(length)
	var group sync.WaitGroup
	for i := range clients {
		group.Add(1)
		go func() {
			defer group.Done()
			for time.Now().Before(end) {
				key := fmt.Sprintf("key:%012d", rand.Intn(keys))
				began := time.Now()
				if err := request(context.Background(), connections[i%len(connections)], test, key, value); err != nil {
					failures[i] = err
					return
				}
				took[i] = append(took[i], float64(time.Since(began).Microseconds())/1000)
			}
		}()
	}
	group.Wait()
	var all []float64
	for i := range clients {
		if failures[i] != nil {
			return result{}, failures[i]
		}
		all = append(all, took[i]...)
	}
	if len(all) == 0 {
		return result{}, fmt.Errorf("no request was answered in time")
	}
	sort.Float64s(all)
	at := func(share float64) float64 { return all[min(len(all)-1, int(float64(len(all))*share))] }
	return result{Rps: float64(len(all)) / length.Seconds(), P50: at(0.5), P99: at(0.99)}, nil
}

func main() {
	endpoints := flag.String("endpoints", "127.0.0.1:2379", "client addresses, separated by commas")
	clients := flag.Int("clients", 64, "requests under way at a time")
	seconds := flag.Int("seconds", 5, "length of the run")
	test := flag.String("test", "set", "set, or transaction")
	flag.Parse()
	found, err := run(strings.Split(*endpoints, ","), *clients, time.Duration(*seconds)*time.Second, *test)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
