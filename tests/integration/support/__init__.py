"""What the integration tests stand on: real servers, and the program run in isolation."""
