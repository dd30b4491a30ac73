//! The allocator of a guest: it only ever moves forward.
//!
//! An instance lives for one event, so there is nothing to gain from finding freed blocks again. What it does
//! give back is the last block, so that a growing string grows in place.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

const PAGE: usize = 64 * 1024;

struct Bump {
    /// First free address; 0 before the first call.
    next: Cell<usize>,
    /// End of the memory that there is.
    end: Cell<usize>,
}

// SAFETY: a guest has one thread; the target has no others.
unsafe impl Sync for Bump {}

#[global_allocator]
static BUMP: Bump = Bump { next: Cell::new(0), end: Cell::new(0) };

unsafe extern "C" {
    // Put there by the linker: where static data and stack end.
    static __heap_base: u8;
}

impl Bump {
    /// Makes sure that memory reaches up to `until`.
    #[cold]
    fn grow(&self, until: usize) -> bool {
        let have = core::arch::wasm32::memory_size(0) * PAGE;
        if until > have {
            // At least a quarter more, so that growing stays rare.
            let want = (until - have).max(have / 4);
            let pages = want.div_ceil(PAGE);
            if core::arch::wasm32::memory_grow(0, pages) == usize::MAX {
                let exact = (until - have).div_ceil(PAGE);
                if core::arch::wasm32::memory_grow(0, exact) == usize::MAX {
                    return false;
                }
            }
        }
        self.end.set(core::arch::wasm32::memory_size(0) * PAGE);
        true
    }
}

// SAFETY: blocks never overlap, because `next` only moves over memory that was handed out, except back over the
// last block when that block is freed; alignment is kept by rounding up.
unsafe impl GlobalAlloc for Bump {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut next = self.next.get();
        if next == 0 {
            next = (&raw const __heap_base) as usize;
        }
        let start = (next + layout.align() - 1) & !(layout.align() - 1);
        let Some(until) = start.checked_add(layout.size()) else {
            return core::ptr::null_mut();
        };
        if until > self.end.get() && !self.grow(until) {
            return core::ptr::null_mut();
        }
        self.next.set(until);
        start as *mut u8
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if block as usize + layout.size() == self.next.get() {
            self.next.set(block as usize);
        }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let start = block as usize;
        if start + layout.size() == self.next.get() {
            let Some(until) = start.checked_add(size) else {
                return core::ptr::null_mut();
            };
            if until > self.end.get() && !self.grow(until) {
                return core::ptr::null_mut();
            }
            self.next.set(until);
            return block;
        }
        if size <= layout.size() {
            return block;
        }
        // SAFETY: the new block is as aligned as the old one and longer than it, and they don't overlap.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(block, new, layout.size());
            }
            new
        }
    }
}
