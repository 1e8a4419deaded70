// Durable writes by the ordinary Go client of either side, etcd's own and go-redis:
//
//	go run . -etcd 127.0.0.1:2379,127.0.0.1:3379 -clients 64 -seconds 5 -test set
//	go run . -redis 127.0.0.1:6379 -clients 64 -seconds 5 -test transaction
//
// A transaction is MULTI, two SETs and EXEC sent at once, or a compare and two puts. Each client sends the next request
// when the last one was answered. Prints one line of JSON.
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

	"github.com/redis/go-redis/v9"
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

// database is one side: a request of each test, by client number i.
type database interface {
	set(i int, key, value string) error
	transaction(i int, key, value string) error
	close()
}

type etcd []*clientv3.Client

func openEtcd(endpoints []string, clients int) (etcd, error) {
	var connections etcd
	for range (clients + clientsPerConnection - 1) / clientsPerConnection {
		client, err := clientv3.New(clientv3.Config{Endpoints: endpoints, DialTimeout: 5 * time.Second})
		if err != nil {
			return nil, err
		}
		connections = append(connections, client)
	}
	return connections, nil
}

func (e etcd) set(i int, key, value string) error {
	_, err := e[i%len(e)].Put(context.Background(), key, value)
	return err
}

func (e etcd) transaction(i int, key, value string) error {
	_, err := e[i%len(e)].Txn(context.Background()).
		If(clientv3.Compare(clientv3.ModRevision(key), ">", -1)).
		Then(clientv3.OpPut(key, value), clientv3.OpPut(key+"/2", value)).
		Commit()
	return err
}

func (e etcd) close() {
	for _, client := range e {
		client.Close()
	}
}

// resp is a database that speaks the protocol of Redis: a connection for each client.
type resp struct{ client *redis.Client }

func openResp(address string, clients int) resp {
	return resp{redis.NewClient(&redis.Options{
		Addr: address, PoolSize: clients, MaxRetries: -1, ReadTimeout: 10 * time.Second, DisableIdentity: true,
	})}
}

func (r resp) set(_ int, key, value string) error {
	return r.client.Set(context.Background(), key, value, 0).Err()
}

func (r resp) transaction(_ int, key, value string) error {
	_, err := r.client.TxPipelined(context.Background(), func(pipe redis.Pipeliner) error {
		pipe.Set(context.Background(), key, value, 0)
		pipe.Set(context.Background(), key+"/2", value, 0)
		return nil
	})
	return err
}

func (r resp) close() { r.client.Close() }

func run(side database, clients int, length time.Duration, test string) (result, error) {
	request := side.set
	if test == "transaction" {
		request = side.transaction
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
				if err := request(i, key, value); err != nil {
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

func open(endpoints, address string, clients int) (database, error) {
	if address != "" {
		return openResp(address, clients), nil
	}
	return openEtcd(strings.Split(endpoints, ","), clients)
}

func main() {
	endpoints := flag.String("etcd", "127.0.0.1:2379", "addresses of etcd's members, separated by commas")
	address := flag.String("redis", "", "address of a server that speaks the protocol of Redis, instead")
	clients := flag.Int("clients", 64, "requests under way at a time")
	seconds := flag.Int("seconds", 5, "length of the run")
	test := flag.String("test", "set", "set, or transaction")
	flag.Parse()
	side, err := open(*endpoints, *address, *clients)
	if err != nil {
		log.Fatal(err)
	}
	defer side.close()
	found, err := run(side, *clients, time.Duration(*seconds)*time.Second, *test)
	if err != nil {
		log.Fatal(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		log.Fatal(err)
	}
}
