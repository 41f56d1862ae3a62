//! Large tables on huge pages.
//!
//! A flow table is hundreds of megabytes that are read at random. With pages of 4 KiB nearly every access misses the
//! translation cache, and in a virtual machine the walk that follows costs more than the memory access itself. Huge
//! pages (2 MiB) make the misses rare. Linux gives them on request only, where
//! `/sys/kernel/mm/transparent_hugepage/enabled` says `madvise` (the default of most distributions).
//!
//! [`HugePages`] is an allocator that serves large allocations from fresh mappings with that request, and leaves all
//! others to the system. Where the kernel has no huge pages, the request is ignored and nothing is lost. [`prefetch`] asks
//! for one line of a table before it is needed.

use std::alloc::{GlobalAlloc, Layout, System};
use std::ptr;

/// The size of a huge page on `x86_64` and on `aarch64` with 4 KiB pages. Elsewhere it is only an alignment.
const HUGE: usize = 2 << 20;

/// Allocations of at least this many bytes get mappings of their own.
pub const LARGE: usize = 2 * HUGE;

/// The allocator. Install it with `#[global_allocator]` in the crate that makes the final library or program.
#[derive(Clone, Copy, Debug, Default)]
pub struct HugePages;

const fn is_large(layout: &Layout) -> bool {
    layout.size() >= LARGE && layout.align() <= HUGE
}

/// Bytes of the mapping for an allocation of `size`; `None` where the sum does not fit.
const fn mapped_len(size: usize) -> Option<usize> {
    match size.checked_add(HUGE - 1) {
        Some(padded) => Some(padded & !(HUGE - 1)),
        None => None,
    }
}

/// A zeroed mapping of `len` bytes (a multiple of [`HUGE`]), aligned to [`HUGE`]; null where the kernel refuses.
fn map(len: usize) -> *mut u8 {
    let Some(reserved) = len.checked_add(HUGE) else {
        return ptr::null_mut();
    };
    // SAFETY: an anonymous private mapping at an address of the kernel's choice touches no memory that exists.
    let start = unsafe {
        libc::mmap(
            ptr::null_mut(),
            reserved,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE,
            -1,
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return ptr::null_mut();
    }
    let start = start.cast::<u8>();
    let head = start.align_offset(HUGE);
    let tail = reserved - head - len;
    // SAFETY: `head + len + tail` is the length of the mapping made above, so each address computed here lies in it or
    // one past its end; head and tail are whole pages (mappings begin and end at pages, HUGE is a multiple of a page)
    // that nobody has a pointer to.
    unsafe {
        let aligned = start.add(head);
        if head > 0 {
            libc::munmap(start.cast(), head);
        }
        if tail > 0 {
            libc::munmap(aligned.add(len).cast(), tail);
        }
        // A refusal (no huge pages in this kernel) leaves ordinary pages.
        libc::madvise(aligned.cast(), len, libc::MADV_HUGEPAGE);
        aligned
    }
}

/// Asks the processor to fetch the cache line where `place` begins, without waiting for it.
#[inline(always)]
pub fn prefetch<T>(place: &T) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: every x86_64 processor has SSE, and a prefetch reads nothing that a program sees and never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(ptr::from_ref(place).cast()) };
    }
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: a prefetch changes neither registers nor memory nor flags and never faults.
        unsafe {
            std::arch::asm!("prfm pldl1keep, [{}]", in(reg) ptr::from_ref(place), options(nostack, readonly, preserves_flags));
        }
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _ = place;
}

// SAFETY: large allocations are fresh mappings of at least the size and alignment asked for, unmapped exactly once, by
// the layout that made them; whether an allocation is large depends on its layout alone, so both sides agree. All others
// are the system allocator's, called with the arguments as they came.
unsafe impl GlobalAlloc for HugePages {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if is_large(&layout) {
            return mapped_len(layout.size()).map_or(ptr::null_mut(), map);
        }
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if is_large(&layout) {
            // SAFETY: as this function; a fresh mapping is zero.
            return unsafe { self.alloc(layout) };
        }
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if is_large(&layout) {
            if let Some(len) = mapped_len(layout.size()) {
                // SAFETY: the caller says that `alloc` gave this pointer for this layout: a mapping of this length.
                unsafe { libc::munmap(pointer.cast(), len) };
            }
            return;
        }
        // SAFETY: the caller's promise about `pointer` and `layout` is passed on.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        let new_layout = Layout::from_size_align(new_size, layout.align());
        let Ok(new_layout) = new_layout else {
            return ptr::null_mut();
        };
        if !is_large(&layout) && !is_large(&new_layout) {
            // SAFETY: the caller's promise is passed on; both sizes are the system's.
            return unsafe { System.realloc(pointer, layout, new_size) };
        }
        // SAFETY: the new block is distinct from the old one, and both hold at least the smaller of the two sizes; the
        // old one is given back once, with its own layout.
        unsafe {
            let new = self.alloc(new_layout);
            if !new.is_null() {
                ptr::copy_nonoverlapping(pointer, new, layout.size().min(new_size));
                self.dealloc(pointer, layout);
            }
            new
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(size: usize) -> Layout {
        Layout::from_size_align(size, 16).expect("a layout")
    }

    #[test]
    fn large_blocks_are_zeroed_aligned_writable_and_move_with_their_bytes() {
        for size in [LARGE - 1, LARGE, LARGE + 1, 3 * LARGE + 12_345] {
            // SAFETY: each block is used within its size and freed once with its own layout.
            unsafe {
                let p = HugePages.alloc_zeroed(layout(size));
                assert!(!p.is_null());
                assert_eq!((*p, *p.add(size - 1)), (0, 0));
                assert!(size < LARGE || p.align_offset(HUGE) == 0);
                p.write(7);
                p.add(size - 1).write(9);
                let grown = HugePages.realloc(p, layout(size), size * 2);
                assert_eq!((*grown, *grown.add(size - 1)), (7, 9));
                let shrunk = HugePages.realloc(grown, layout(size * 2), 100);
                assert_eq!(*shrunk, 7);
                HugePages.dealloc(shrunk, layout(100));
            }
        }
    }

    #[test]
    fn a_prefetch_changes_nothing() {
        let places = [7u64; 16];
        places.iter().for_each(prefetch);
        assert_eq!(places, [7; 16]);
    }

    #[test]
    fn what_cannot_be_mapped_is_null() {
        // SAFETY: the null pointer is only compared.
        let p = unsafe { HugePages.alloc(layout(isize::MAX as usize - (4 << 20))) };
        assert!(p.is_null());
    }
}
