// Command v0_22 drives the packages of external-dns v0.22.
package main

import (
	"context"

	"example.invalid/driver"
	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/pkg/apis/externaldns"
	"sigs.k8s.io/external-dns/provider/webhook"
	"sigs.k8s.io/external-dns/registry/noop"
	"sigs.k8s.io/external-dns/registry/txt"
)

func main() { driver.Main(open) }

func open(ctx context.Context, o *driver.Options) (*driver.Session, error) {
	cfg := &externaldns.Config{
		WebhookProviderURL:         o.URL,
		WebhookProviderReadTimeout: o.Timeout, // the client waits for the sum of both timeouts
		TXTPrefix:                  o.TXTPrefix,
		TXTSuffix:                  o.TXTSuffix,
		TXTWildcardReplacement:     o.TXTWildcardReplacement,
		TXTEncryptEnabled:          o.TXTEncryptKey != "",
		TXTEncryptAESKey:           o.TXTEncryptKey,
		TXTOwnerID:                 o.Owner,
		ManagedDNSRecordTypes:      o.ManagedRecordTypes,
	}
	client, err := webhook.New(ctx, cfg, nil)
	if err != nil {
		return nil, err
	}
	newRegistry := noop.New
	if o.Registry == "txt" {
		newRegistry = txt.New
	}
	reg, err := newRegistry(cfg, client)
	if err != nil {
		return nil, err
	}
	return &driver.Session{
		Registry: reg,
		Filters: func() endpoint.MatchAllDomainFilters {
			return endpoint.MatchAllDomainFilters{endpoint.NewDomainFilter(o.DomainFilter), reg.GetDomainFilter()}
		},
		PostProcess: func(ep *endpoint.Endpoint) { ep.RetainProviderProperties("webhook") },
	}, nil
}
