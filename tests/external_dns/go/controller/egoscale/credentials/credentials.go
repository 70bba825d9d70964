// Package credentials stands in for the package of that name in the Exoscale SDK.
package credentials

type Credentials struct{}

func NewStaticCredentials(_, _ string) *Credentials { return nil }
