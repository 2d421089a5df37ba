use larder_core::*; use larder_memcached::*; use std::time::*;
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let c: MemcachedConfig = std::env::var("U").unwrap().parse().unwrap();
    let b = MemcachedBackend::connect(c.with_namespace("dbg").with_time_limit(Duration::from_secs(3))).await.unwrap();
    let n: usize = std::env::var("N").unwrap().parse().unwrap();
    let k = Key::object("k");
    b.put(&k, vec![1u8; 256].into(), Ttl::new(Duration::from_secs(60)).unwrap()).await.unwrap();
    let b: Box<dyn CacheBackend> = Box::new(b);
    let t = Instant::now();
    for _ in 0..n { assert!(b.read(&k, &[]).await.unwrap().value.is_some()); }
    println!("{:?}", t.elapsed() / n as u32);
}
