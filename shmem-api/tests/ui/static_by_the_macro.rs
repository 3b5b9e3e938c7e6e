// The macro makes static items, whole, and takes no attribute that could change that.
use shmem_api::sym_static;

sym_static! {
    #[link_section = ".rodata"]
    static ATTRIBUTE: SymStatic<u64> = 0;
}
sym_static! {
    static OTHER: std::sync::OnceLock<u64> = std::sync::OnceLock::new();
}

fn main() {
    let _in_an_expression = Some(sym_static! { static HERE: SymStatic<u64> = 0; });
}
