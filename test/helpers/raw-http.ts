/**
 * HTTP spoken byte by byte, for what a proper client would never send.
 */
import { connect, type Socket } from 'node:net';

/** Writes `text` and answers all that comes back until the server closes. */
export async function exchange(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text, 'latin1');
  return untilClosed(socket);
}

/** All that comes from `socket` until it is closed, in either way. */
export function untilClosed(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let received = '';
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      received += text;
    });
    // A server that closes on unread bytes resets the connection.
    socket.on('error', () => {});
    socket.on('close', () => resolve(received));
  });
}

/** Status and problem of an answer. */
export function problemIn(answer: string): { status: number; code: unknown; type: string | undefined } {
  const [head = '', body = ''] = answer.split('\r\n\r\n', 2);
  const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]);
  return { status, code: JSON.parse(body).code, type: /^content-type: (.+)$/im.exec(head)?.[1] };
}
