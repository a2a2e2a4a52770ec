"""Pages over published results. They read a publication and nothing else."""
