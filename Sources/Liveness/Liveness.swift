// Liveness
