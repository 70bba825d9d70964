// Command cloudflared says what cloudflared makes of tunnel configurations: it
// validates them, and matches requests against their rules, with the packages
// of cloudflared itself. It reads one JSON object per line and answers each
// with one, see [question] and [answer].
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cloudflare/cloudflared/ingress"
)

type question struct {
	Document string `json:"document"` // a remote configuration, as JSON text
	Requests []struct {
		Host string `json:"host"`
		Path string `json:"path"`
	} `json:"requests"`
}

type answer struct {
	Error   string `json:"error"`
	Stage   string `json:"stage"`   // decode, validate, panic or input; empty if the configuration is good
	Matches []int  `json:"matches"` // per request the index of the rule that wins
}

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return
		}
		if err := json.NewEncoder(out).Encode(ask(line)); err != nil {
			panic(err)
		}
		// Flush when no question is waiting.
		if in.Buffered() == 0 {
			if out.Flush() != nil {
				return
			}
		}
	}
}

func ask(line []byte) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{Error: fmt.Sprint(p), Stage: "panic", Matches: []int{}}
		}
	}()
	fail := func(stage string, err error) answer {
		return answer{Error: err.Error(), Stage: stage, Matches: []int{}}
	}

	var q question
	if err := json.Unmarshal(line, &q); err != nil {
		return fail("input", err)
	}
	// RemoteConfig decodes and validates in one go. Decoding alone first tells
	// the errors of the two apart.
	var raw ingress.RemoteConfigJSON
	if err := json.Unmarshal([]byte(q.Document), &raw); err != nil {
		return fail("decode", err)
	}
	// cloudflared answers 503 to every request then, but the API refuses it.
	if len(raw.IngressRules) == 0 {
		return fail("validate", ingress.ErrNoIngressRules)
	}
	var config ingress.RemoteConfig
	if err := json.Unmarshal([]byte(q.Document), &config); err != nil {
		return fail("validate", err)
	}
	a.Matches = make([]int, len(q.Requests))
	for i, r := range q.Requests {
		_, a.Matches[i] = config.Ingress.FindMatchingRule(r.Host, r.Path)
	}
	return a
}
