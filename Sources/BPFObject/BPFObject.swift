// BPFObject
