;; Asks for 4 GiB before it does anything.
(module
  (memory (export "memory") 65536)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32) unreachable))
