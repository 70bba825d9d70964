"""HTTP inbound: the four routes that external-dns calls, and the three that the cluster looks at."""
