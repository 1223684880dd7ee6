/**
 * For every thread in which a source or a format works.
 *
 * Node keeps a list of what a thread opened by `fs.open` and closes it when the thread ends. A descriptor that was handed to a socket is closed by
 * that and stays on the list; by then its number may be another's in this process: the store's, a caller's connection, Node's own pipe for signals,
 * without which the process aborts. So there is to be no list; what a thread opens it closes itself.
 */
export const DESCRIPTORS = { trackUnmanagedFds: false } as const
