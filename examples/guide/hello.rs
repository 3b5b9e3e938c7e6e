fn main() -> std::process::ExitCode {
    shmem_api::run(|world| -> Result<(), shmem_api::Error> {
        println!("PE {} of {}", world.pe(), world.n_pes());
        Ok(())
    })
}
