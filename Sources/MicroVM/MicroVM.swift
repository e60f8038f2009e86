// MicroVM
