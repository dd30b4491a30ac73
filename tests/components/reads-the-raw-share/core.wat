;; Uses an import that has to be granted.
(module
  (import "tandem:plugin/raw-share@0.1.0" "read" (func $read (param i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (call $read (i32.const 16))
    unreachable))
