;; Says that its answer lies where it has no memory.
(module
  (memory (export "memory") 1)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (i32.const 0x7ffffff0)))
