/**
 * The process in which a reader of views runs. A service manager signals every process of a service: the server drains, and still needs
 * this one until it says otherwise. So it stops listening to signals before all else, loading included.
 */
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {})
await import('./reader-pump.ts')
