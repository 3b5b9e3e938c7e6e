//! What PEs say to each other first: what must be equal on all of them, and where they may run.

use bytemuck::{Pod, Zeroable};
use memheap::settings::{self, Settings};
use memheap::{Bytes, PeId};

use crate::boot::host::{Host, all_on_one};
use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::boot::text::{unpadded, whole};
use crate::error::Error;
use crate::sync::wait::cores::Cores;
use crate::types::thread_level::Asked;

/// What a PE says first: what must be equal on all of them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Hello {
    pub(super) host: Host,
    /// The size of the user's heap if it was given, else `u64::MAX`.
    pub(super) size: u64,
    pub(super) host_size: u64,
    pub(super) dma_size: u64,
    pub(super) pe_size: u64,
    pub(super) check: u64,
    pub(super) teams: u64,
    /// So many hosts the PEs of this machine take themselves for; 0 if it is one.
    pub(super) fake_hosts: u64,
    pub(super) cores: Cores,
    /// The settings that decide how blocks are laid out, as text.
    pub(super) deciding: [u8; 512],
}

/// Compares what must be equal on all PEs, and says whether they share cores.
pub(super) fn say_hello(
    boot: &mut dyn Boot,
    asked: Asked,
    settings: Result<&Settings, Error>,
) -> Result<(Hello, bool), Error> {
    let (me, got) = (boot.pe(), boot.level());
    let mine = settings.and_then(|s| match asked.needed && got < asked.level {
        true => Err(Error::ThreadLevel { asked: asked.level, got }),
        false => Hello::of(me, s),
    });
    let all = step(boot, mine.clone())?;
    let mine = mine?;
    all_on_one(me, &all.iter().map(|h| h.host).collect::<Vec<_>>())?;
    let odd = |differs: &dyn Fn(&Hello) -> bool| all.iter().position(differs).map(|pe| PeId(pe as u32));
    if let Some(pe) = odd(&|h| h.deciding != mine.deciding) {
        let (here, there) = (unpadded(&mine.deciding), unpadded(&all[pe.0 as usize].deciding));
        return Err(Error::StartDiffers {
            item: "the choice of allocators by settings",
            me,
            here,
            pe,
            there,
        });
    }
    type Field = fn(&Hello) -> u64;
    let counts: [(&'static str, Field); 3] = [
        (settings::HEAP_CHECK.name, |h| h.check),
        (settings::TEAMS.name, |h| h.teams),
        (settings::FAKE_HOSTS.name, |h| h.fake_hosts),
    ];
    for (item, field) in counts {
        if let Some(pe) = odd(&|h| field(h) != field(&mine)) {
            let (here, there) = (field(&mine).to_string(), field(&all[pe.0 as usize]).to_string());
            return Err(Error::StartDiffers { item, me, here, pe, there });
        }
    }
    let fields: [(&'static str, Field); 4] = [
        (settings::SYMMETRIC_SIZE.name, |h| h.size),
        (settings::HEAP_HOST_SIZE.name, |h| h.host_size),
        (settings::HEAP_DMA_SIZE.name, |h| h.dma_size),
        (settings::HEAP_PE_SIZE.name, |h| h.pe_size),
    ];
    for (item, field) in fields {
        if let Some(pe) = odd(&|h| field(h) != field(&mine)) {
            let text = |n: u64| if n == u64::MAX { "not set".into() } else { Bytes(n).to_string() };
            let (here, there) = (text(field(&mine)), text(field(&all[pe.0 as usize])));
            return Err(Error::StartDiffers { item, me, here, pe, there });
        }
    }
    Ok((mine, Cores::are_crowded(&all.iter().map(|h| h.cores).collect::<Vec<_>>())))
}

impl Hello {
    fn of(me: PeId, settings: &Settings) -> Result<Hello, Error> {
        let host = memheap::region::host_memory();
        let size = |setting| settings.size(setting).map_or(u64::MAX, |s| s.resolve(host));
        Ok(Hello {
            host: Host::here(),
            size: size(&settings::SYMMETRIC_SIZE),
            host_size: size(&settings::HEAP_HOST_SIZE),
            dma_size: size(&settings::HEAP_DMA_SIZE),
            pe_size: size(&settings::HEAP_PE_SIZE),
            check: settings.count(&settings::HEAP_CHECK).unwrap_or(1),
            teams: settings.count(&settings::TEAMS).unwrap_or(0),
            fake_hosts: settings.count(&settings::FAKE_HOSTS).unwrap_or(0),
            cores: Cores::here(),
            deciding: whole(me, "the choice of allocators by settings", &settings.deciding())?,
        })
    }
}
