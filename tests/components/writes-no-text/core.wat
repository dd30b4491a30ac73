;; Its answer, at 16, is a text of two bytes that are no UTF-8, at 8. The first byte at 16 says that it is an answer
;; and no error.
(module
  (memory (export "memory") 1)
  (data (i32.const 8) "\ff\fe")
  (data (i32.const 16) "\00\00\00\00" "\08\00\00\00" "\02\00\00\00" "\00\00\00\00" "\00\00\00\00")
  (func (export "tandem:plugin/short-description@0.1.0#write") (result i32)
    (i32.const 16)))
