;; Logs without end.
(module
  (import "tandem:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "water")
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (loop $again
      (call $log (i32.const 1) (i32.const 8) (i32.const 5))
      (br $again))
    unreachable))
