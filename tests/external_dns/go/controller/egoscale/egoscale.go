// Package v3 stands in for the Exoscale SDK. The controller links every DNS
// provider of external-dns, but these tests only ever select the webhook one,
// so the names that the Exoscale provider mentions are enough, without any of
// their behaviour: a client cannot even be made.
package v3

import (
	"context"
	"errors"

	"github.com/exoscale/egoscale/v3/credentials"
)

var errStub = errors.New("the Exoscale SDK is not part of this build")

type (
	UUID     string
	Endpoint string

	DNSDomain struct {
		ID          UUID
		UnicodeName string
	}
	DNSDomainRecordType string
	DNSDomainRecord     struct {
		ID            UUID
		Name, Content string
		Type          DNSDomainRecordType
		Ttl           int64
	}
	ListDNSDomainsResponse       struct{ DNSDomains []DNSDomain }
	ListDNSDomainRecordsResponse struct{ DNSDomainRecords []DNSDomainRecord }

	CreateDNSDomainRecordRequestType string
	CreateDNSDomainRecordRequest     struct {
		Name, Content string
		Type          CreateDNSDomainRecordRequestType
		Ttl           int64
	}
	UpdateDNSDomainRecordRequest struct {
		Content string
		Ttl     int64
	}

	Operation      struct{}
	OperationState string

	Client       struct{}
	ClientOption func(*Client)
)

const OperationStateSuccess OperationState = "success"

func ClientOptWithEndpoint(Endpoint) ClientOption { return nil }

func NewClient(*credentials.Credentials, ...ClientOption) (*Client, error) { return nil, errStub }

func (*Client) ListDNSDomains(context.Context) (*ListDNSDomainsResponse, error) {
	return nil, errStub
}

func (*Client) ListDNSDomainRecords(context.Context, UUID) (*ListDNSDomainRecordsResponse, error) {
	return nil, errStub
}

func (*Client) CreateDNSDomainRecord(context.Context, UUID, CreateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errStub
}

func (*Client) DeleteDNSDomainRecord(context.Context, UUID, UUID) (*Operation, error) {
	return nil, errStub
}

func (*Client) UpdateDNSDomainRecord(context.Context, UUID, UUID, UpdateDNSDomainRecordRequest) (*Operation, error) {
	return nil, errStub
}

func (*Client) Wait(context.Context, *Operation, ...OperationState) (*Operation, error) {
	return nil, errStub
}
