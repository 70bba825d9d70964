// Command cloudflared says what cloudflared makes of tunnel configurations: it
// validates them, says what each rule comes to, and matches requests against
// the rules, with the packages of cloudflared itself. It reads one JSON object per line and answers each
// with one, see [question] and [answer].
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp/syntax"
	"time"

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
	Took    []int  `json:"took"`    // per request the microseconds of finding it
	Rules   []rule `json:"rules"`   // what it makes of each rule
}

// rule is what is left of a rule once the settings of the whole document are
// inherited.
type rule struct {
	Service  string                      `json:"service"`  // "bastion" for a jump host
	Verified bool                        `json:"verified"` // whether requests need an Access token
	Config   ingress.OriginRequestConfig `json:"config"`
	Size     int                         `json:"size"` // instructions of the path's program
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
	a.Matches, a.Took = make([]int, len(q.Requests)), make([]int, len(q.Requests))
	for i, r := range q.Requests {
		start := time.Now()
		_, a.Matches[i] = config.Ingress.FindMatchingRule(r.Host, r.Path)
		a.Took[i] = int(time.Since(start).Microseconds())
	}
	for _, r := range config.Ingress.Rules {
		a.Rules = append(a.Rules, rule{r.Service.String(), len(r.Handlers) > 0, r.Config, size(r.Path)})
	}
	return a
}

// size counts the instructions that Go's regexp runs for an expression.
func size(path *ingress.Regexp) int {
	if path == nil {
		return 0
	}
	parsed, err := syntax.Parse(path.String(), syntax.Perl)
	if err != nil {
		return 0
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return 0
	}
	return len(program.Inst)
}
