//! A TCP port on the loopback that accepts connections, goes down and comes back; what is said on a
//! connection is the owner's.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Serves one connection until it is over.
pub(crate) type Serve =
    Arc<dyn Fn(TcpStream) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// A port with its task; dropping it ends the task and every connection.
pub(crate) struct Port {
    address: SocketAddr,
    serve: Serve,
    state: Mutex<State>,
}

enum State {
    /// Accepting. `stop` ends the task in order; dropping the set ends it at once. The second
    /// socket, bound without listening, keeps the port for the time after.
    Up { stop: oneshot::Sender<()>, task: JoinSet<()>, reserve: TcpSocket },
    /// Refusing: the socket stays bound without listening, so that nobody else gets the port
    /// meanwhile.
    Down(TcpSocket),
    /// Between the two, or ended for good because the port could not be bound again.
    Closed,
}

impl Port {
    /// Opens a free port.
    pub(crate) fn open(serve: Serve) -> io::Result<Self> {
        let socket = bound(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        let port =
            Self { address: socket.local_addr()?, serve, state: Mutex::new(State::Down(socket)) };
        port.come_back()?;
        Ok(port)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes every connection and refuses new ones; once this returns, they are refused.
    pub(crate) async fn go_down(&self) -> io::Result<()> {
        match self.exchange(State::Closed) {
            State::Up { stop, mut task, reserve } => {
                drop(stop);
                while task.join_next().await.is_some() {}
                self.exchange(State::Down(reserve));
            }
            down @ (State::Down(_) | State::Closed) => {
                self.exchange(down);
            }
        }
        Ok(())
    }

    /// Accepts connections again, on the same port.
    pub(crate) fn come_back(&self) -> io::Result<()> {
        let socket = match self.exchange(State::Closed) {
            State::Down(socket) => socket,
            State::Closed => bound(self.address)?,
            up @ State::Up { .. } => {
                self.exchange(up);
                return Ok(());
            }
        };
        // Before anybody listens: afterwards the port could not be bound a second time.
        let reserve = bound(self.address)?;
        let listener = socket.listen(BACKLOG)?;
        let (stop, stopped) = oneshot::channel();
        let mut task = JoinSet::new();
        task.spawn(accept(listener, Arc::clone(&self.serve), stopped));
        self.exchange(State::Up { stop, task, reserve });
        Ok(())
    }

    fn exchange(&self, state: State) -> State {
        std::mem::replace(&mut *self.state.lock().unwrap_or_else(PoisonError::into_inner), state)
    }
}

fn bound(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn accept(listener: TcpListener, serve: Serve, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream));
                }
                // Out of file descriptors, say: let the connections that hold them go on.
                Err(_) => tokio::task::yield_now().await,
            },
        }
    }
    drop(listener);
    connections.shutdown().await;
}
