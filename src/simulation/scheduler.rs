//! Who goes on, who dies, whose clock lies: one choice a step, by the dice.

use core::fmt;
use core::pin::Pin;
use core::task::{Context, Waker};

use divvy_core::Error;

use crate::simulation::Report;
use crate::simulation::jobs::Job;
use crate::simulation::knobs::Knobs;
use crate::simulation::planted::Planted;
use crate::simulation::process::live;
use crate::simulation::promise::Promise;
use crate::simulation::scene::{Scene, Shared};
use crate::simulation::trace::Telling;

/// A simulation under way.
pub(super) struct Simulation {
    pub(super) scene: Shared,
    processes: Vec<Process>,
}

struct Process {
    life: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// It is not polled before this step.
    stalled_until: u64,
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("processes", &self.processes.len())
            .finish_non_exhaustive()
    }
}

impl Simulation {
    pub(super) fn new(knobs: &Knobs, telling: Telling) -> Result<Self, Error> {
        let mut scene = Scene::new(knobs.clone(), telling)?;
        let set_up = scene.draw_set_up()?;
        let scene = Shared::new(scene);
        let mut simulation = Self { scene, processes: Vec::new() };
        for process in 0..knobs.workers {
            let life = simulation.begin(process);
            simulation.processes.push(Process { life, stalled_until: 0 });
        }
        simulation.give(0, set_up);
        simulation.finish_jobs();
        simulation.scene.with(|scene| scene.set_up = scene.store.facts().len());
        Ok(simulation)
    }

    pub(super) fn run(mut self) -> Report {
        self.scene.with(|scene| scene.faulty = true);
        let steps = self.scene.with(|scene| scene.knobs.steps);
        while !self.is_broken() && self.scene.with(|scene| scene.step) < steps {
            self.step();
        }
        if !self.is_broken() {
            self.heal();
        }
        self.scene.with(|scene| Report {
            knobs: scene.knobs.clone(),
            steps: scene.step,
            hash: scene.trace.hash(),
            counts: scene.trace.counts().clone(),
            broken: scene.broken.clone(),
            story: scene.trace.sentences(),
        })
    }

    pub(super) fn is_broken(&self) -> bool {
        self.scene.with(|scene| scene.broken.is_some())
    }

    /// One choice: mostly who goes on.
    fn step(&mut self) {
        let chosen = self.scene.with(|scene| {
            scene.pass_by();
            scene.land();
            let process = scene.dice.place(scene.seats.len());
            if scene.goes_wrong(40) {
                scene.trace.count("crashes");
                scene.tell(|| format!("{process}: dies"));
                return (process, Choice::Crash);
            }
            if scene.goes_wrong(60) {
                let steps = scene.dice.within(10, 300);
                scene.trace.count("stalls");
                scene.tell(|| format!("{process}: stands still for {steps} steps"));
                return (process, Choice::Stall(scene.step.saturating_add(steps)));
            }
            if scene.goes_wrong(60) {
                scene.set_clock(process);
            }
            (process, Choice::GoOn(scene.step))
        });
        match chosen {
            (process, Choice::Crash) => self.restart(process),
            (process, Choice::Stall(until)) => {
                if let Some(process) = self.processes.get_mut(process) {
                    process.stalled_until = until;
                }
            }
            (process, Choice::GoOn(step)) => {
                if self.processes.get(process).is_some_and(|own| own.stalled_until <= step) {
                    self.employ(process);
                    self.poll(process);
                } else {
                    self.idle();
                }
            }
        }
    }

    /// Gives a process that has nothing to do something to do.
    fn employ(&self, process: usize) {
        self.scene.with(|scene| {
            let idle =
                scene.seats.get(process).is_some_and(|seat| !seat.busy && seat.job.is_none());
            if idle {
                let job = scene.draw_job().unwrap_or(Job::Tick);
                if let Some(seat) = scene.seats.get_mut(process) {
                    seat.job = Some(job);
                }
            }
        });
    }

    pub(super) fn give(&self, process: usize, job: Job) {
        self.scene.with(|scene| {
            if let Some(seat) = scene.seats.get_mut(process) {
                seat.job = Some(job);
            }
        });
    }

    /// Nobody goes on, and time passes.
    fn idle(&self) {
        self.scene.with(|scene| scene.step = scene.step.saturating_add(1));
    }

    pub(super) fn poll(&mut self, process: usize) {
        self.scene.with(|scene| {
            scene.step = scene.step.saturating_add(1);
            let step = (scene.step, process);
            scene.trace.mark(&step);
        });
        if let Some(process) = self.processes.get_mut(process) {
            let _ = process.life.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
    }

    /// Polls in any order until nobody has anything left to do.
    pub(super) fn finish_jobs(&mut self) {
        for _ in 0..POLLS_MAX {
            let at_work = self.scene.with(|scene| {
                scene.land();
                let at_work =
                    |seat: &crate::simulation::scene::Seat| seat.busy || seat.job.is_some();
                let seats = scene.seats.iter().enumerate();
                let busy: Vec<usize> =
                    seats.filter(|(_, seat)| at_work(seat)).map(|(place, _)| place).collect();
                scene.dice.pick(&busy).copied()
            });
            match at_work {
                Some(process) if !self.is_broken() => self.poll(process),
                _ => return,
            }
        }
        self.scene.with(|scene| {
            scene.breaks(Promise::Settles, "a process is at work for ever");
        });
    }

    fn begin(&self, process: usize) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let (seed, checkpoint) = self.scene.with(|scene| {
            let checkpoint = scene.draw_checkpoint();
            let from = if checkpoint.is_some() { "from a checkpoint" } else { "from zero" };
            scene.tell(|| format!("{process}: starts {from}"));
            (scene.dice.hash(), checkpoint)
        });
        Box::pin(live(self.scene.clone(), process, seed, checkpoint))
    }

    /// A process dies where it stands, and another takes its place.
    fn restart(&mut self, place: usize) {
        self.scene.with(|scene| {
            if let Some(seat) = scene.seats.get_mut(place) {
                (seat.job, seat.busy, seat.not_before) = (None, false, None);
                seat.life = seat.life.saturating_add(1);
            }
        });
        let life = self.begin(place);
        if let Some(process) = self.processes.get_mut(place) {
            *process = Process { life, stalled_until: 0 };
        }
    }

    pub(super) fn unstall(&mut self) {
        for process in &mut self.processes {
            process.stalled_until = 0;
        }
    }
}

enum Choice {
    Crash,
    Stall(u64),
    GoOn(u64),
}

impl Scene {
    /// Mostly moments, at times minutes, rarely hours, or most of a day.
    fn pass_by(&mut self) {
        let millis = match self.dice.below(1_000) {
            0..=2 => self.dice.within(1_800_000, 14_400_000).saturating_mul(self.town.leaps),
            3..=29 => self.dice.within(5_000, 600_000),
            _ => self.dice.within(0, 500),
        };
        self.pass(millis);
    }

    /// Sets a process's clock: a little wrong, far ahead, or years ahead. None is behind by more
    /// than a rail's grace allows for.
    fn set_clock(&mut self, process: usize) {
        let (ahead, counted): (i64, _) = match self.dice.below(10) {
            0 => (HOUR_MILLIS.saturating_mul(3), "clocks hours ahead"),
            1 => (YEARS_AHEAD_MILLIS, "clocks years ahead"),
            _ if self.is_planted(Planted::ClockFarBehind) => (-HOUR_MILLIS, "clocks far behind"),
            _ => {
                let off = i64::try_from(self.dice.within(0, 80_000)).unwrap_or(0);
                (off.saturating_sub(BEHIND_MILLIS_MAX), "clocks a little off")
            }
        };
        let Some(seat) = self.seats.get_mut(process) else { return };
        if ahead < seat.ahead_millis {
            self.trace.count("clocks running back");
        }
        seat.ahead_millis = ahead;
        self.trace.count(counted);
        self.tell(|| format!("{process}: its clock is {ahead} ms ahead now"));
    }

    /// A checkpoint to start from: any that was ever taken, at times a damaged one.
    fn draw_checkpoint(&mut self) -> Option<Vec<u8>> {
        if !self.dice.permille(700) {
            return None;
        }
        let mut checkpoint = self.dice.pick(&self.checkpoints).cloned()?;
        if self.dice.permille(200) {
            self.trace.count("checkpoints damaged");
            let place = self.dice.place(checkpoint.len());
            let byte = checkpoint.get_mut(place)?;
            *byte ^= 1;
            if divvy_core::Books::from_checkpoint(&checkpoint).is_some() {
                self.breaks(Promise::Durable, format!("a checkpoint altered at {place} is taken"));
            }
        } else {
            self.trace.count("checkpoints restored");
        }
        Some(checkpoint)
    }
}

const HOUR_MILLIS: i64 = 3_600_000;
/// Far more than the 400 days after which nobody pays without being told to.
pub(super) const YEARS_AHEAD_MILLIS: i64 = 730 * 86_400_000;
/// A rail's grace is its lag and twice this much.
const BEHIND_MILLIS_MAX: i64 = 40_000;

/// No job takes so many turns.
const POLLS_MAX: usize = 200_000;
