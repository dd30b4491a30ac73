//! Runs hooks natively, in an author's own tests. Feature `test`.
