//! What PEs say to each other first: what must be equal on all of them, and where they may run.

use bytemuck::{Pod, Zeroable};
use memheap::settings::{self, Settings};
use memheap::{Bytes, PeId};

use crate::boot::host::{self, Machine};
use crate::boot::protocol::Boot;
use crate::boot::step::step;
use crate::boot::text::{padded, unpadded, whole};
use crate::error::Error;
use crate::sync::wait::cores::Cores;
use crate::types::host_of::FakeHosts;
use crate::types::thread_level::Asked;

/// What a PE says first: what must be equal on all of them.
#[derive(Clone, Copy, Pod, Zeroable)]
#[repr(C)]
pub(super) struct Hello {
    /// The size of the user's heap if it was given, else `u64::MAX`.
    pub(super) size: u64,
    pub(super) host_size: u64,
    pub(super) dma_size: u64,
    pub(super) pe_size: u64,
    pub(super) check: u64,
    pub(super) teams: u64,
    pub(super) cores: Cores,
    machine: Machine,
    /// How the PEs of a machine take themselves for several hosts, as text.
    fake_hosts: [u8; 128],
    /// The kind of processor.
    arch: [u8; 16],
    /// The settings that decide how blocks are laid out, as text.
    pub(super) deciding: [u8; 512],
}

/// Compares what must be equal on all PEs, and says whether those of this host share cores.
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
    let odd = |differs: &dyn Fn(&Hello) -> bool| all.iter().position(differs).map(|pe| PeId(pe as u32));
    type Text = fn(&Hello) -> &[u8];
    let texts: [(&'static str, Text); 3] = [
        ("the kind of processor", |h| &h.arch),
        (settings::FAKE_HOSTS.name, |h| &h.fake_hosts),
        ("the choice of allocators by settings", |h| &h.deciding),
    ];
    for (item, field) in texts {
        if let Some(pe) = odd(&|h| field(h) != field(&mine)) {
            let (here, there) = (unpadded(field(&mine)), unpadded(field(&all[pe.0 as usize])));
            return Err(Error::StartDiffers { item, me, here, pe, there });
        }
    }
    type Field = fn(&Hello) -> u64;
    let counts: [(&'static str, Field); 2] =
        [(settings::HEAP_CHECK.name, |h| h.check), (settings::TEAMS.name, |h| h.teams)];
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
    let hosts = boot.hosts();
    let cores = |on: &dyn Fn(PeId, &Hello) -> bool| {
        let there = (0..).map(PeId).zip(&all).filter(|(pe, hello)| on(*pe, hello));
        there.map(|(_, hello)| hello.cores).collect::<Vec<_>>()
    };
    let host = cores(&|pe, _| hosts.share(me, pe));
    let machine = match mine.machine[0] {
        0 => host.clone(),
        _ => cores(&|_, hello| hello.machine == mine.machine),
    };
    Ok((mine, Cores::are_crowded(&host, &machine)))
}

impl Hello {
    /// How the PEs of a machine take themselves for several hosts, if they do.
    pub(super) fn fake_hosts(&self) -> Option<FakeHosts> {
        FakeHosts::parse(&unpadded(&self.fake_hosts))
    }

    fn of(me: PeId, settings: &Settings) -> Result<Hello, Error> {
        let host = memheap::region::host_memory();
        let size = |setting| settings.size(setting).map_or(u64::MAX, |s| s.resolve(host));
        Ok(Hello {
            size: size(&settings::SYMMETRIC_SIZE),
            host_size: size(&settings::HEAP_HOST_SIZE),
            dma_size: size(&settings::HEAP_DMA_SIZE),
            pe_size: size(&settings::HEAP_PE_SIZE),
            check: settings.count(&settings::HEAP_CHECK).unwrap_or(1),
            teams: settings.count(&settings::TEAMS).unwrap_or(0),
            cores: Cores::here(),
            machine: host::machine(),
            fake_hosts: whole(
                me,
                settings::FAKE_HOSTS.name,
                settings.text(&settings::FAKE_HOSTS).unwrap_or_default(),
            )?,
            arch: padded(std::env::consts::ARCH),
            deciding: whole(me, "the choice of allocators by settings", &settings.deciding())?,
        })
    }
}
