//! An address of the API, as the router and the document are both made from it.

use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, get, post};

use crate::actions::Action;
use crate::web::api::order::order;
use crate::web::orders::to_the_end;
use crate::web::shown::Shown;

/// Where all addresses begin.
pub const BASE: &str = "/api/v1";

/// Where an address answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Over HTTP, and on the control socket.
    Everywhere,
    /// On the control socket only, which says which user of this host asks.
    Socket,
}

/// What an answer is, of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// One object.
    One,
    /// A list.
    List,
    /// A page of a list; the header `Link` names the next one.
    Pages,
}

/// A value that an address or its query takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// The words that it may be; none: any text.
    pub(super) words: &'static [&'static str],
    pub(super) is_in_path: bool,
}

/// A query that takes any text.
pub(super) const fn query(name: &'static str, what: &'static str) -> Parameter {
    words(name, what, &[])
}

/// A query that takes one of these words.
pub(super) const fn words(
    name: &'static str,
    what: &'static str,
    words: &'static [&'static str],
) -> Parameter {
    Parameter { name, what, words, is_in_path: false }
}

/// A part of the path.
pub(super) const fn part(name: &'static str, what: &'static str) -> Parameter {
    Parameter { is_in_path: true, ..query(name, what) }
}

/// An address.
pub(super) struct Endpoint {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) reach: Reach,
    pub(super) summary: &'static str,
    pub(super) parameters: &'static [Parameter],
    /// The schema of what is sent; none where nothing is.
    pub(super) body: Option<&'static str>,
    /// The schema of what is answered.
    pub(super) answer: &'static str,
    pub(super) shape: Shape,
    pub(super) handler: MethodRouter<Shown>,
}

impl Endpoint {
    /// Reads, and answers one object.
    pub(super) fn read<H, T>(
        path: &str,
        answer: &'static str,
        summary: &'static str,
        handler: H,
    ) -> Self
    where
        H: Handler<T, Shown>,
        T: 'static,
    {
        Self {
            method: Method::GET,
            path: format!("{BASE}/{path}"),
            reach: Reach::Everywhere,
            summary,
            parameters: &[],
            body: None,
            answer,
            shape: Shape::One,
            handler: get(handler),
        }
    }

    /// Orders an action: what is sent is its request, what is answered its answer.
    pub(super) fn order<A: Action>(
        body: &'static str,
        answer: &'static str,
        summary: &'static str,
    ) -> Self {
        Self {
            method: Method::POST,
            path: format!("{BASE}/{}", A::NAME),
            reach: Reach::Everywhere,
            summary,
            parameters: &[],
            body: Some(body),
            answer,
            shape: Shape::One,
            handler: post(order::<A>).layer(from_fn(to_the_end)),
        }
    }

    /// The same as a reading that ends when nobody waits for it any more.
    pub(super) fn for_who_waits<A: Action>(self) -> Self {
        Self { handler: post(order::<A>), ..self }
    }

    /// The same with these parameters.
    pub(super) fn taking(self, parameters: &'static [Parameter]) -> Self {
        Self { parameters, ..self }
    }

    /// The same with an answer of this shape.
    pub(super) fn in_shape(self, shape: Shape) -> Self {
        Self { shape, ..self }
    }

    /// The same, on the control socket only.
    pub(super) fn on_socket_only(self) -> Self {
        Self { reach: Reach::Socket, ..self }
    }
}
