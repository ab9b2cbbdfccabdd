//! A plan as a person reads it.

use std::fmt;

use super::needs;
use super::plan::{Plan, Step};

pub struct Needs<'plan>(pub &'plan Plan);

impl fmt::Display for Needs<'_> {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.needs.iter().try_for_each(|need| writeln!(output, "  {}: {}", need.what, need.why))
    }
}

pub struct Instructions<'plan>(pub &'plan Plan);

impl fmt::Display for Instructions<'_> {
    fn fmt(&self, output: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plan = self.0;
        if plan.needs.is_empty() {
            return writeln!(output, "nothing is missing");
        }
        write!(output, "missing:\n{}", Needs(plan))?;
        for step in &plan.steps {
            match step {
                Step::DebianPackages(_) | Step::UnpackedPackages { .. } => writeln!(output, "\nas root:")?,
                Step::Programs(programs) => writeln!(
                    output,
                    "\nwith this system's package manager, the programs: {}",
                    programs.join(" "),
                )?,
                Step::NightlyWithRustSrc => writeln!(output, "\nas the user who builds:")?,
                Step::BpfLinker => writeln!(
                    output,
                    "\nas the user who builds, with LLVM 22's development files in {}:",
                    needs::LLVM_PREFIX,
                )?,
            }
            for command in step.commands() {
                writeln!(output, "  {command}")?;
            }
        }
        Ok(())
    }
}
