// Command v0_20 drives the packages of external-dns v0.20.
package main

import (
	"context"

	"example.invalid/driver"
	"sigs.k8s.io/external-dns/endpoint"
	"sigs.k8s.io/external-dns/provider/webhook"
	"sigs.k8s.io/external-dns/registry"
)

func main() { driver.Main(open) }

func open(_ context.Context, o *driver.Options) (*driver.Session, error) {
	client, err := webhook.NewWebhookProvider(o.URL)
	if err != nil {
		return nil, err
	}
	var reg registry.Registry
	if o.Registry == "txt" {
		reg, err = registry.NewTXTRegistry(client, o.TXTPrefix, o.TXTSuffix, o.Owner, 0,
			o.TXTWildcardReplacement, o.ManagedRecordTypes, nil,
			o.TXTEncryptKey != "", []byte(o.TXTEncryptKey), "")
	} else {
		reg, err = registry.NewNoopRegistry(client)
	}
	if err != nil {
		return nil, err
	}
	return &driver.Session{
		Registry: reg,
		Filters: func() endpoint.MatchAllDomainFilters {
			return endpoint.MatchAllDomainFilters{endpoint.NewDomainFilter(o.DomainFilter), reg.GetDomainFilter()}
		},
	}, nil
}
