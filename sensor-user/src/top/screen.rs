//! The terminal: taken over, and given back however this ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::TopError;
use super::model::Model;
use super::view::{self, Look};

/// How long a signal may wait to be noticed.
const MOMENT: Duration = Duration::from_millis(100);

/// What somebody wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    Quit,
    Pause,
    NextSpan,
    NextOrder,
    Redraw,
}

/// The terminal, in raw mode and on its other screen for as long as this lives. A panic gives it back
/// before it is told of, by ratatui's hook.
pub struct Screen {
    terminal: DefaultTerminal,
    stopped: Arc<AtomicBool>,
}

impl Screen {
    pub fn open() -> Result<Self, TopError> {
        let stopped = Arc::new(AtomicBool::new(false));
        // Before the terminal is another, lest a signal leave it so.
        for signal in [SIGINT, SIGTERM, SIGHUP, SIGQUIT] {
            signal_hook::flag::register(signal, Arc::clone(&stopped)).map_err(TopError::Signals)?;
        }
        let terminal = ratatui::try_init().inspect_err(|_| give_back())?;
        Ok(Self { terminal, stopped })
    }

    pub fn draw(&mut self, model: &Model, look: &Look) -> io::Result<()> {
        self.terminal.draw(|frame| view::draw(model, look, frame)).map(drop)
    }

    /// Waits for a command; `None` where none came before the deadline.
    pub fn wait(&mut self, deadline: Instant) -> io::Result<Option<Command>> {
        loop {
            if self.stopped.load(Ordering::Relaxed) {
                return Ok(Some(Command::Quit));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match event::poll(left.min(MOMENT)) {
                Ok(true) => {
                    if let Some(command) = command(&event::read()?) {
                        return Ok(Some(command));
                    }
                }
                Ok(false) if left.is_zero() => return Ok(None),
                Ok(false) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

fn give_back() {
    // Where the terminal is gone there is nobody to give it back to.
    let _gone = ratatui::try_restore();
}

fn command(event: &Event) -> Option<Command> {
    match event {
        Event::Resize(..) => Some(Command::Redraw),
        Event::Key(KeyEvent { code, modifiers, kind, .. }) if *kind != KeyEventKind::Release => {
            // Ctrl-C is a key as well here: in raw mode the terminal sends no signal.
            let control = modifiers.contains(KeyModifiers::CONTROL);
            match code {
                KeyCode::Char('c') if control => Some(Command::Quit),
                KeyCode::Char('l') if control => Some(Command::Redraw),
                KeyCode::Char('q' | 'Q') | KeyCode::Esc => Some(Command::Quit),
                KeyCode::Char('p' | 'P' | ' ') => Some(Command::Pause),
                KeyCode::Char('s' | 'S') => Some(Command::NextOrder),
                KeyCode::Tab => Some(Command::NextSpan),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Option<Command> {
        command(&Event::Key(KeyEvent::new(code, modifiers)))
    }

    #[test]
    fn three_keys_quit() {
        for (code, modifiers) in [
            (KeyCode::Char('q'), KeyModifiers::NONE),
            (KeyCode::Esc, KeyModifiers::NONE),
            (KeyCode::Char('c'), KeyModifiers::CONTROL),
        ] {
            assert_eq!(key(code, modifiers), Some(Command::Quit), "{code:?}");
        }
        assert_eq!(key(KeyCode::Char('c'), KeyModifiers::NONE), None);
    }

    #[test]
    fn a_resized_terminal_is_drawn_anew() {
        assert_eq!(command(&Event::Resize(100, 30)), Some(Command::Redraw));
    }
}
