// Package driver is the part of the external-dns drivers that is the same for
// every version: the command line, the JSON protocol on stdin and stdout, and
// the control loop.
//
// It imports external-dns at the oldest version in use. Each vX_Y module next
// to it builds the same source with its own version, and brings along what is
// spelled differently there.
//
// A driver negotiates at its start, as external-dns does, and then reads steps
// from stdin, one JSON object each:
//
//	{"desired": [<endpoint>, ...], "repeat": 1}
//
// Each step runs the control loop once (or "repeat" times) and each run prints
// one line on stdout, see [result]. Nothing else is ever printed there: the
// log of external-dns goes to stderr.
package driver

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/plan"
	"sigs.k8s.io/external-dns/provider"
)

// Options are the flags of external-dns that a driver knows.
type Options struct {
	URL                    string
	Registry               string
	TXTPrefix              string
	TXTSuffix              string
	TXTWildcardReplacement string
	TXTEncryptKey          string // encryption is on if there is a key
	Owner                  string
	Policy                 string
	DomainFilter           list
	ManagedRecordTypes     list
	Timeout                time.Duration // before v0.21 the client has none, whatever is set here
}

// Registry is what the control loop needs of a registry, as far as every
// version spells it alike.
type Registry interface {
	Records(context.Context) ([]*endpoint.Endpoint, error)
	AdjustEndpoints([]*endpoint.Endpoint) ([]*endpoint.Endpoint, error)
	ApplyChanges(context.Context, *plan.Changes) error
	OwnerID() string
}

// Session is one external-dns process after its start.
type Session struct {
	Registry Registry
	// Filters returns the filter of the command line and the negotiated one.
	Filters func() endpoint.MatchAllDomainFilters
	// PostProcess does to a desired endpoint what the source wrappers do, if anything.
	PostProcess func(*endpoint.Endpoint)
}

// result is the outcome of one control loop.
type result struct {
	Records  endpoints `json:"records"`  // from the registry, so with its labels and without its TXT records
	Adjusted endpoints `json:"adjusted"` // the desired endpoints after AdjustEndpoints
	Changes  changes   `json:"changes"`  // as planned, so without what the registry adds to them
	Applied  bool      `json:"applied"`  // there were changes, and ApplyChanges succeeded
	Error    string    `json:"error"`
	Soft     bool      `json:"soft"`  // external-dns would survive the error
	Panic    bool      `json:"panic"` // external-dns would have crashed
	Stage    string    `json:"stage"` // where it failed: input, records, adjust, plan, apply; else empty
	Seconds  struct {
		Records float64 `json:"records"`
		Adjust  float64 `json:"adjust"`
		Apply   float64 `json:"apply"`
	} `json:"seconds"`
}

type changes struct {
	Create    endpoints `json:"create"`
	UpdateOld endpoints `json:"updateOld"`
	UpdateNew endpoints `json:"updateNew"`
	Delete    endpoints `json:"delete"`
}

// endpoints is a list of endpoints as JSON. It is encoded at once because the
// plan and the registries write into the endpoints that they are given.
type endpoints json.RawMessage

func encode(list []*endpoint.Endpoint) endpoints {
	b, err := json.Marshal(list)
	if err != nil {
		panic(err)
	}
	return b
}

func (e endpoints) MarshalJSON() ([]byte, error) {
	if len(e) == 0 || string(e) == "null" {
		return []byte("[]"), nil
	}
	return e, nil
}

// list is a comma-separated flag.
type list []string

func (l *list) String() string { return strings.Join(*l, ",") }

func (l *list) Set(s string) error {
	*l = nil
	if s != "" {
		*l = strings.Split(s, ",")
	}
	return nil
}

// Main is the main function of a driver. The open function connects the webhook
// client of its version and wraps the registry of its version around it.
func Main(open func(context.Context, *Options) (*Session, error)) {
	o := &Options{ManagedRecordTypes: list{"A", "AAAA", "CNAME"}}
	flag.StringVar(&o.URL, "url", "http://127.0.0.1:8888", "webhook provider")
	flag.StringVar(&o.Registry, "registry", "noop", "noop or txt")
	flag.StringVar(&o.TXTPrefix, "txt-prefix", "", "")
	flag.StringVar(&o.TXTSuffix, "txt-suffix", "", "")
	flag.StringVar(&o.TXTWildcardReplacement, "txt-wildcard-replacement", "", "")
	flag.StringVar(&o.TXTEncryptKey, "txt-encrypt-key", "", "AES key of 32 bytes")
	flag.StringVar(&o.Owner, "owner", "default", "owner id of the txt registry")
	flag.StringVar(&o.Policy, "policy", "", "sync, upsert-only or create-only")
	flag.Var(&o.DomainFilter, "domain-filter", "domains, separated by commas")
	flag.Var(&o.ManagedRecordTypes, "managed-record-types", "record types, separated by commas")
	flag.DurationVar(&o.Timeout, "timeout", 15*time.Second, "of one request (v0.21 and later)")
	version := flag.Bool("version", false, "print the version of external-dns and exit")
	flag.Parse()

	if *version {
		fmt.Println(externalDNSVersion())
		return
	}
	if err := run(open, o); err != nil {
		os.Exit(1)
	}
}

// run prints the error that it returns.
func run(open func(context.Context, *Options) (*Session, error), o *Options) error {
	out := json.NewEncoder(os.Stdout)
	fatal := func(stage string, err error) error {
		_ = out.Encode(map[string]string{"error": err.Error(), "stage": stage})
		return err
	}

	policy, ok := plan.Policies[o.Policy]
	if !ok {
		return fatal("input", fmt.Errorf("unknown policy: %q", o.Policy))
	}
	if o.Registry != "noop" && o.Registry != "txt" {
		return fatal("input", fmt.Errorf("unknown registry: %q", o.Registry))
	}
	session, err := open(context.Background(), o)
	if err != nil {
		return fatal("negotiate", err)
	}

	in := json.NewDecoder(os.Stdin)
	for {
		var step struct {
			Desired json.RawMessage `json:"desired"`
			Repeat  int             `json:"repeat"`
		}
		if err := in.Decode(&step); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fatal("input", err)
		}
		for range max(step.Repeat, 1) {
			// Decoded again for each loop, as a source makes new endpoints.
			if err := out.Encode(session.loop(step.Desired, policy, o.ManagedRecordTypes)); err != nil {
				return err
			}
		}
	}
}

// loop does what RunOnce of the controller does.
func (s *Session) loop(desiredJSON []byte, policy plan.Policy, managed []string) (r *result) {
	r = &result{Stage: "input"}
	defer func() {
		if p := recover(); p != nil {
			r.Error, r.Panic = fmt.Sprint(p), true
			fmt.Fprintf(os.Stderr, "panic: %v\n%s", p, debug.Stack())
		}
	}()
	fail := func(err error) *result {
		r.Error, r.Soft = err.Error(), errors.Is(err, provider.SoftError)
		return r
	}

	var desired []*endpoint.Endpoint
	if err := json.Unmarshal(desiredJSON, &desired); err != nil {
		return fail(err)
	}
	for _, ep := range desired {
		if ep.Labels == nil {
			ep.Labels = endpoint.NewLabels()
		}
		if s.PostProcess != nil {
			s.PostProcess(ep)
		}
	}

	r.Stage = "records"
	ctx := context.Background()
	start := time.Now()
	records, err := s.Registry.Records(ctx)
	r.Seconds.Records = time.Since(start).Seconds()
	if err != nil {
		return fail(err)
	}
	r.Records = encode(records)
	ctx = context.WithValue(ctx, provider.RecordsContextKey, records)

	r.Stage = "adjust"
	start = time.Now()
	desired, err = s.Registry.AdjustEndpoints(desired)
	r.Seconds.Adjust = time.Since(start).Seconds()
	if err != nil {
		return fail(err)
	}
	r.Adjusted = encode(desired)

	r.Stage = "plan"
	todo := (&plan.Plan{
		Policies:       []plan.Policy{policy},
		Current:        records,
		Desired:        desired,
		DomainFilter:   s.Filters(),
		ManagedRecords: managed,
		OwnerID:        s.Registry.OwnerID(),
	}).Calculate().Changes
	r.Changes = changes{encode(todo.Create), encode(todo.UpdateOld), encode(todo.UpdateNew), encode(todo.Delete)}

	if todo.HasChanges() {
		r.Stage = "apply"
		start = time.Now()
		err = s.Registry.ApplyChanges(ctx, todo)
		r.Seconds.Apply = time.Since(start).Seconds()
		if err != nil {
			return fail(err)
		}
		r.Applied = true
	}
	r.Stage = ""
	return r
}

func externalDNSVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "sigs.k8s.io/external-dns" {
				return dep.Version
			}
		}
	}
	return "unknown"
}
