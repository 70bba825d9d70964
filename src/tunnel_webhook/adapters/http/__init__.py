"""The two HTTP apps: the webhook for external-dns, and monitoring for the cluster."""
