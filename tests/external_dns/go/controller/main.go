// Command controller is external-dns itself: it takes the flags of
// external-dns and runs its whole controller. Without a Kubernetes cluster only
// the sources fake, empty and connector are of use.
//
// For the connector source the command also knows
//
//	controller -serve-gob 127.0.0.1:0 endpoints.json
//
// which prints the address it listens on and then serves that list of endpoints
// to each client. The file is read again for each connection.
package main

import (
	"encoding/gob"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"os"

	"sigs.k8s.io/external-dns/controller"
	"sigs.k8s.io/external-dns/endpoint"
)

func main() {
	if len(os.Args) == 4 && os.Args[1] == "-serve-gob" {
		log.Fatal(serve(os.Args[2], os.Args[3]))
	}
	controller.Execute()
}

func serve(address, file string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := send(conn, file); err != nil {
			log.Print(err)
		}
	}
}

func send(conn net.Conn, file string) error {
	defer conn.Close()
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	endpoints := []*endpoint.Endpoint{}
	if err := json.Unmarshal(text, &endpoints); err != nil {
		return err
	}
	return gob.NewEncoder(conn).Encode(endpoints)
}
