"""Three gateway replicas, killed and stopped while clients use them."""
