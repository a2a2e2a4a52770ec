"""Three trustees who keep the key to a cycle's ballots: each holds a share on paper, any two open the urn together."""
