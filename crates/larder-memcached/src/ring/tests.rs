//! The ring against other clients: where libmemcached 1.0.16 (through pylibmc, behaviour
//! `ketama_weighted`) and uhashring 2.5 (`hash_fn="ketama"`) put the keys `key:0` to `key:63`.

use super::*;

const PORTS: [u16; 3] = [11_513, 11_514, 11_515];
const PORTS_WITH_DEFAULT: [u16; 3] = [11_211, 11_514, 11_515];

fn places(ports: [u16; 3], labels: KetamaLabels) -> String {
    let servers = ports.map(|port| ServerAddress::tcp("127.0.0.1", port));
    let ring = Ring::new(&servers, labels);
    let place = |key| ring.server(number_of(format!("key:{key}").as_bytes()));
    (0..64).map(|key| place(key).to_string()).collect()
}

#[test]
fn both_clients_agree_on_servers_with_other_ports() {
    let expected = "2112000101020221221222202212112212221020122101121011211122201012";
    for labels in [KetamaLabels::Libmemcached, KetamaLabels::Libketama] {
        assert_eq!(places(PORTS, labels), expected, "{labels:?}");
    }
}

#[test]
fn they_differ_where_the_port_is_the_default_one() {
    assert_eq!(
        places(PORTS_WITH_DEFAULT, KetamaLabels::Libmemcached),
        "0110212001022201001022002010100212021021122111021111011122001112"
    );
    assert_eq!(
        places(PORTS_WITH_DEFAULT, KetamaLabels::Libketama),
        "2112002011020220221202002210112212021020102011121010210022201012"
    );
}

#[test]
fn every_server_has_160_points() {
    let servers = PORTS.map(|port| ServerAddress::tcp("127.0.0.1", port));
    let ring = Ring::new(&servers, KetamaLabels::default());
    for server in 0..3 {
        let own = ring.points.iter().filter(|(_, index)| *index == server);
        assert_eq!(own.count(), 160);
    }
    let (Some(first), Some(last)) = (ring.points.first(), ring.points.last()) else {
        panic!("no points");
    };
    assert_eq!(ring.server(first.0), first.1, "a point belongs to itself");
    assert_eq!(ring.server(last.0.saturating_add(1)), first.1, "the circle closes");
}

#[test]
fn a_server_that_leaves_moves_its_own_keys_only() {
    let servers: Vec<_> =
        (0..10).map(|n| ServerAddress::tcp("cache.example", 12_000 + n)).collect();
    let (all, fewer) = (servers.clone(), &servers[..9]);
    let before = Ring::new(&all, KetamaLabels::default());
    let after = Ring::new(fewer, KetamaLabels::default());
    for number in (0..u32::MAX).step_by(1 << 20) {
        let place = before.server(number);
        assert!(place == 9 || place == after.server(number), "{number} moved");
    }
}
