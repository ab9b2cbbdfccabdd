//! What a program without a standard library has to have, and never reaches.

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // Nothing here can panic; a program in which this loop were reachable would not pass the verifier.
    loop {}
}
