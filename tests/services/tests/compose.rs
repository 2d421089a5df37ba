//! The containers are called as the setups are, and listen where servers that stay do.

use std::{fs, path::Path};

use larder_services::Setup;

#[test]
fn containers_have_the_names_and_ports_of_the_setups() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docker-compose.yml");
    let text = fs::read_to_string(path).expect("the file is at the root");
    for setup in Setup::ALL {
        let name = setup.name();
        let is_without = ["_tls", "_unix", "python"].iter().any(|end| name.ends_with(end));
        let service = text.split_once(&format!("\n  {name}:\n")).map(|(_, rest)| rest);
        assert_eq!(service.is_some(), !is_without, "{name}");
        if let Some(service) = service {
            // The clusters' ports stand in other services of that name with a number.
            assert!(service.contains(&setup.port().to_string()), "{name}");
        }
    }
}
