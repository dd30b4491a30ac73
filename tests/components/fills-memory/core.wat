;; Writes over all of 16 MiB again and again: long single instructions instead of a loop of short ones.
(module
  (memory (export "memory") 256)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (loop $again
      (memory.fill (i32.const 0) (i32.const 7) (i32.const 0x1000000))
      (br $again))
    unreachable))
