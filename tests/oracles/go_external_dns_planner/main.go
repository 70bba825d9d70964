// Command planner asks the planner of external-dns, package plan, for the
// changes that lead from current to desired endpoints. It reads one JSON object
// per line and answers each with one, see [question] and [answer].
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"os"

	log "github.com/sirupsen/logrus"
	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/plan"
)

type question struct {
	Current []*endpoint.Endpoint `json:"current"`
	Desired []*endpoint.Endpoint `json:"desired"`
	Policy  string               `json:"policy"`  // sync, upsert-only or create-only
	Owner   string               `json:"owner"`   // empty for the noop registry
	Managed []string             `json:"managed"` // record types
	Include []string             `json:"include"` // the domain filter
	Exclude []string             `json:"exclude"`
}

type answer struct {
	Create    []*endpoint.Endpoint `json:"create"`
	UpdateOld []*endpoint.Endpoint `json:"updateOld"`
	UpdateNew []*endpoint.Endpoint `json:"updateNew"`
	Delete    []*endpoint.Endpoint `json:"delete"`
}

func main() {
	log.SetOutput(io.Discard)
	in, out := json.NewDecoder(bufio.NewReader(os.Stdin)), bufio.NewWriter(os.Stdout)
	defer out.Flush()
	answers := json.NewEncoder(out)
	for {
		var q question
		if err := in.Decode(&q); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			panic(err)
		}
		if err := answers.Encode(ask(&q)); err != nil {
			panic(err)
		}
	}
}

func ask(q *question) answer {
	changes := (&plan.Plan{
		Policies: []plan.Policy{plan.Policies[q.Policy]},
		Current:  q.Current,
		Desired:  q.Desired,
		DomainFilter: endpoint.MatchAllDomainFilters{
			endpoint.NewDomainFilterWithExclusions(q.Include, q.Exclude),
		},
		ManagedRecords: q.Managed,
		OwnerID:        q.Owner,
	}).Calculate().Changes
	return answer{changes.Create, changes.UpdateOld, changes.UpdateNew, changes.Delete}
}
