"""What we decide: the state that exists, what is asked of it, and the plan between the two."""
