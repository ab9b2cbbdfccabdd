//! A real listener, real certificates, and clients of every kind.

mod certificates;
mod lab;
mod network;
mod requests;
mod signals;
