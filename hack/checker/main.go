// Checks that every key of a history is a linearizable register, with porcupine
// (Athalye, "Porcupine: A fast linearizability checker in Go"). Reads operations
// as JSON lines from standard input, as e2e/faults/history.ts writes them, and
// answers with one JSON object: {"illegal": [keys], "undecided": [keys]}.
// No two writes of a key may have the same value.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"
)

// operation is one operation of one client. Times are milliseconds.
type operation struct {
	F       string
	Client  string
	Outcome string
	Input   struct{ Key, From, To string }
	Output  any
	Start   float64
	End     float64
}

// observed is the value that an operation found: what a read answered, and what
// a compare-and-set that took effect must have compared with.
func (o operation) observed() (string, bool) {
	if o.F == "cas" {
		return o.Input.From, o.Outcome == "ok"
	}
	text, isText := o.Output.(string)
	return text, isText && o.F == "read"
}

type step struct{ f, from, to string }

// register is a value that is "" at first.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		in := input.(step)
		switch in.f {
		case "read":
			return output == state, state
		case "cas":
			return in.from == state, in.to
		}
		return true, in.to
	},
}

// read takes the operations of each key.
func read(from io.Reader) (map[string][]operation, error) {
	keys := map[string][]operation{}
	decoder := json.NewDecoder(from)
	for {
		var line operation
		if err := decoder.Decode(&line); errors.Is(err, io.EOF) {
			return keys, nil
		} else if err != nil {
			return nil, err
		}
		keys[line.Input.Key] = append(keys[line.Input.Key], line)
	}
}

// settle decides what became of operations whose outcome no client knows. Values
// are unique: if the value of one was found it did take effect, before the end
// of whoever found it first; else it changes nothing for anyone, and is left out.
func settle(operations []operation) []operation {
	found := map[string]float64{}
	for _, one := range operations {
		value, any := one.observed()
		if before, known := found[value]; any && (!known || one.End < before) {
			found[value] = one.End
		}
	}
	settled := []operation{}
	for changed := true; changed; {
		changed = false
		settled = settled[:0]
		for _, one := range operations {
			end, known := found[one.Input.To]
			if one.Outcome != "info" {
				settled = append(settled, one)
			} else if known {
				one.End = max(end, one.Start)
				settled = append(settled, one)
				changed = note(found, one) || changed
			}
		}
	}
	return settled
}

// note: a compare-and-set that did take effect found the value that it compared with.
func note(found map[string]float64, one operation) bool {
	before, known := found[one.Input.From]
	if one.F != "cas" || (known && before <= one.End) {
		return false
	}
	found[one.Input.From] = one.End
	return true
}

func convert(operations []operation) []porcupine.Operation {
	clients := map[string]int{}
	converted := []porcupine.Operation{}
	for _, one := range operations {
		id, known := clients[one.Client]
		if !known {
			id = len(clients)
			clients[one.Client] = id
		}
		output, _ := one.observed()
		converted = append(converted, porcupine.Operation{
			ClientId: id,
			Input:    step{one.F, one.Input.From, one.Input.To},
			Output:   output,
			Call:     int64(one.Start * 1e6),
			Return:   int64(one.End * 1e6),
		})
	}
	return converted
}

// check decides each key, within the limit for all of them.
func check(keys map[string][]operation, limit time.Duration) (illegal, undecided []string) {
	deadline := time.Now().Add(limit)
	illegal, undecided = []string{}, []string{}
	for key, operations := range keys {
		left := max(time.Until(deadline), time.Millisecond)
		switch porcupine.CheckOperationsTimeout(register, convert(settle(operations)), left) {
		case porcupine.Illegal:
			illegal = append(illegal, key)
		case porcupine.Unknown:
			undecided = append(undecided, key)
		}
	}
	sort.Strings(illegal)
	sort.Strings(undecided)
	return illegal, undecided
}

func main() {
	limit := flag.Duration("limit", time.Minute, "time for all keys together")
	flag.Parse()
	keys, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the history cannot be read:", err)
		os.Exit(1)
	}
	illegal, undecided := check(keys, *limit)
	answer := map[string][]string{"illegal": illegal, "undecided": undecided}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		os.Exit(1)
	}
}
