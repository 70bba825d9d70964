"""What external-dns decides: endpoints, how they spell a route, and which of them the operator lets us publish."""
