;; Asks for a table of ten million elements.
(module
  (memory (export "memory") 1)
  (table 10000000 funcref)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32) unreachable))
