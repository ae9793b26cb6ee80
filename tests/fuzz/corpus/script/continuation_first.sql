¯OPher
SELEnt);
CCT 1;