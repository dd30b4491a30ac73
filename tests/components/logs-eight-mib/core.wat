;; Logs a line of 8 MiB, then gives up.
(module
  (import "tandem:plugin/log@0.1.0" "write" (func $log (param i32 i32 i32)))
  (memory (export "memory") 129)
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (call $log (i32.const 1) (i32.const 64) (i32.const 0x800000))
    unreachable))
