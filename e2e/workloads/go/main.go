// A workload on Go's net/http and its ServeMux.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

type understood struct {
	Area    string  `json:"area"`
	Method  string  `json:"method"`
	Path    string  `json:"path"`
	Host    string  `json:"host"`
	Subject *string `json:"subject"`
	Token   *string `json:"token"`
	Cookie  *string `json:"cookie"`
}

func main() {
	mux := http.NewServeMux()
	for _, method := range []string{"GET", "POST", "DELETE"} {
		mux.HandleFunc(method+" /item/{name}", answer("item"))
	}
	mux.HandleFunc("/admin", answer("admin"))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	log.Fatal(http.Serve(listener, mux))
}

func answer(area string) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		cookie, _ := request.Cookie("session_id")
		what := understood{
			Area:    area,
			Method:  request.Method,
			Path:    request.URL.Path,
			Host:    request.Host,
			Subject: first(request.Header["X-Sub"]),
			Token:   first(request.URL.Query()["access_token"]),
		}
		if cookie != nil {
			what.Cookie = &cookie.Value
		}
		_ = json.NewEncoder(writer).Encode(what)
	}
}

func first(values []string) *string {
	if len(values) == 0 {
		return nil
	}
	return &values[0]
}
