// The value of a declared static is the program's own expression: nothing unsafe is allowed in it.
const unsafe fn seven() -> u64 {
    7
}

shmem_api::sym_static! {
    static UNSAFE: SymStatic<u64> = seven();
}

fn main() {
    let _ = &UNSAFE;
}
