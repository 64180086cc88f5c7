/** A minimal server: it writes back what it gets. Prints its port. */
const { port } = Bun.listen({
  hostname: "127.0.0.1",
  port: 0,
  socket: {
    open: (socket) => {
      socket.setNoDelay(true);
    },
    // Far less than the kernel buffers, so it is always taken whole.
    data: (socket, bytes) => {
      socket.write(bytes);
    },
  },
});
process.stdout.write(`${JSON.stringify({ port })}\n`);
